//! Parse, run, exit: all of it in `jml::cli`.

fn main() -> std::process::ExitCode {
    jml::cli::main()
}
