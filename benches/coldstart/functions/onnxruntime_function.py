"""The same function with the exported model, in onnxruntime: one thread, and nothing imported that it does not need."""

import json
import os

import numpy as np
import onnxruntime

OPTIONS = onnxruntime.SessionOptions()
OPTIONS.intra_op_num_threads = 1
SESSION = onnxruntime.InferenceSession(os.environ["IRIS_MODEL"], OPTIONS, providers=["CPUExecutionProvider"])


def handler(event, context):
    """Answers the event of a REST API, or the original test's."""
    body = json.loads(event["body"])
    if "values" not in body:
        return {"statusCode": 400, "body": json.dumps("Error: Missing input values.")}
    [labels] = SESSION.run(["label"], {"X": np.array(body["values"], np.float32)})
    return {"statusCode": 200, "body": json.dumps({"prediction": labels.tolist()})}
