/**
 * Since 1.29 ONNX Runtime's builds for Linux and macOS report to Microsoft which models a process opens, and keep an id of the
 * machine under `~/.cache`. Nobody who trains here has been asked, so it is off unless `ORT_DISABLE_TELEMETRY=0` says
 * otherwise. The library reads the environment of the process once, when it is loaded: import this before it, on the
 * main thread, since that of a worker is a copy.
 */
process.env.ORT_DISABLE_TELEMETRY ||= "1";
