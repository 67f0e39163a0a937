"""8-bit models: calibrated on training audio, converted by ONNX Runtime, measured beside float."""
