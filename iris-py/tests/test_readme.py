"""The READMEs' Python sessions print what they say they print."""

import doctest
import re

import pytest
from support import ROOT


@pytest.mark.parametrize("readme", ["README.md", "iris-py/README.md"])
def test_sessions_are_true(readme, monkeypatch):
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text(), re.DOTALL)
    assert blocks
    sessions = "\n".join(block for block in blocks if block.startswith(">>>"))
    for block in blocks:
        compile("" if block.startswith(">>>") else block, readme, "exec")
    test = doctest.DocTestParser().get_doctest(sessions, {}, readme, readme, 0)
    results = doctest.DocTestRunner().run(test)
    assert results.failed == 0
