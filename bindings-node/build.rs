//! Link arguments of an addon; on Linux they also keep the library loaded when the last worker that uses it ends.

fn main() {
    napi_build::setup();
}
