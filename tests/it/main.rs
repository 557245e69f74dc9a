//! Tests through the library's surface and the program itself, in one test binary.

#[cfg(test)]
mod real_lines;
#[cfg(test)]
mod schemas;
