"""ONNX's own cases of the ai.onnx.ml operators, as the onnx package generates them."""

import warnings

import iris_core
import numpy as np
import onnxruntime

DOMAIN = "ai.onnx.ml"


def run_node_cases() -> dict[str, dict[str, str]]:
    """Case → runtime → "" where it passes, else why not."""
    with warnings.catch_warnings():
        # Importing the cases generates them all, some out of the range of their types.
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        cases = [case for case in collect_testcases(None) if any(n.domain == DOMAIN for n in case.model.graph.node)]
    runtimes = {"onnxruntime": onnxruntime.InferenceSession, "iris_core": iris_core.InferenceSession}
    return {case.name: {name: run_case(session, case) for name, session in runtimes.items()} for case in cases}


def run_case(session_type, case) -> str:
    try:
        session = session_type(case.model.SerializeToString(), providers=["CPUExecutionProvider"])
        names = [node.name for node in session.get_inputs()]
        for inputs, expected in case.data_sets:
            outputs = session.run(None, dict(zip(names, inputs, strict=True)))
            for output, wanted in zip(outputs, expected, strict=True):
                compare(output, wanted, case)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    return ""


def compare(output, wanted, case) -> None:
    if wanted.dtype.kind in "OUS":
        np.testing.assert_array_equal(output, wanted)
    else:
        assert output.dtype == wanted.dtype, f"expected {wanted.dtype}, got {output.dtype}"
        np.testing.assert_allclose(output, wanted, rtol=case.rtol, atol=case.atol)
