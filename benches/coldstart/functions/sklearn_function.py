"""The original's kind of function: scikit-learn, and a pickled SVC that is loaded at the start."""

import json
import os
import pickle
from pathlib import Path

MODEL = pickle.loads(Path(os.environ["IRIS_PICKLE"]).read_bytes())


def handler(event, context):
    """Answers the event of a REST API, or the original test's."""
    try:
        body = json.loads(event["body"])
    except ValueError as error:
        return {"statusCode": 400, "body": json.dumps(f"Error: {error}")}
    if "values" not in body:
        return {"statusCode": 400, "body": json.dumps("Error: Missing input values.")}
    try:
        prediction = MODEL.predict(body["values"]).tolist()
    except ValueError as error:
        return {"statusCode": 400, "body": json.dumps(f"Error: {error}")}
    return {"statusCode": 200, "body": json.dumps({"prediction": prediction})}
