/**
 * Since 1.29 ONNX Runtime's builds for Linux and macOS report to Microsoft which models a process opens, and keep an id
 * of the machine under `~/.cache`. The people who train here have not agreed to that, so it is off unless
 * `ORT_DISABLE_TELEMETRY=0` is set. The library reads the environment of the process once, when it is loaded: this
 * module must be imported before the library, and on the main thread, since a worker has only a copy of the
 * environment.
 */
process.env.ORT_DISABLE_TELEMETRY ||= "1";
