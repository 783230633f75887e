"""What skl2onnx exports, run on iris_core and on onnxruntime: `python -m conformance`, from iris-py."""
