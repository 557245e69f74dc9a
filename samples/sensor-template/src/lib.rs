//! Nothing to call: the package's use is its `template/` folder, for
//! `cargo marketplace new PATH --template sensor-template`.
