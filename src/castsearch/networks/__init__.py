"""Networks ready to run: the onnxruntime session, and graphs rewritten, quantized and written."""
