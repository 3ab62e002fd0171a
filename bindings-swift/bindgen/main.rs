//! `connect-swift-bindgen --swift-sources --headers LIBRARY FOLDER` and more: see `--help`.

fn main() {
    uniffi::uniffi_bindgen_swift();
}
