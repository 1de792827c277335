//! Links hawser's static libraries, from the directory that other_languages.py built them in.

fn main() {
    println!("cargo:rerun-if-env-changed=HAWSER_LIB_DIR");
    let dir = std::env::var("HAWSER_LIB_DIR")
        .expect("HAWSER_LIB_DIR has to name the directory of libhawser.a");

    println!("cargo:rerun-if-changed={dir}/libhawser.a");
    println!("cargo:rerun-if-changed={dir}/libhawser-blocking.a");
    println!("cargo:rustc-link-search=native={dir}");
    println!("cargo:rustc-link-lib=static=hawser-blocking");
    println!("cargo:rustc-link-lib=static=hawser");
}
