"""The GGUF engine: llama.cpp driven through its C API, only in the engine process."""
