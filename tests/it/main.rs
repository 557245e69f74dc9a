//! Tests through the library's surface and the program itself, in one test binary.

mod real_lines;
