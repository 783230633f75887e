"""The template and the script under their linters; the policy's form."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, SCRIPT

BIN = Path(sys.executable).parent
TEMPLATE = ROOT / "deploy" / "template.yaml"


@pytest.mark.parametrize("command", [["cfn-lint", TEMPLATE], ["shellcheck", SCRIPT]], ids=["cfn", "sh"])
def test_is_clean(command):
    done = subprocess.run([BIN / command[0], *command[1:]], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_the_policy_names_what_it_allows():
    policy = json.loads((ROOT / "deploy" / "policy.json").read_text())
    for statement in policy["Statement"]:
        actions = statement["Action"]
        actions = [actions] if isinstance(actions, str) else actions
        assert all(re.fullmatch(r"[a-z]+:[A-Za-z]+", action) for action in actions), statement["Sid"]
        assert actions == sorted(actions), statement["Sid"]


def test_nothing_has_a_credential():
    for path in (ROOT / "deploy").rglob("*"):
        if path.is_file() and path.suffix in (".sh", ".yaml", ".json", ".md"):
            assert not re.search(r"(AKIA|ASIA)[A-Z0-9]{12}|aws_secret", path.read_text()), path
