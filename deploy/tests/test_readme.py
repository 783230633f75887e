"""The README's steps by hand, as far as moto goes: the function, the API and its stage."""

import re
import subprocess
import textwrap

from conftest import ROOT, Aws
from test_deploy import api_is_wired

# Runs the image, which moto would have to pull from ECR.
INVOKE = re.compile(r"aws lambda invoke .*?/dev/stdout.*?\n", re.DOTALL)


def blocks():
    """The shell of the steps: by the step's number, 0 being what all of them need."""
    text = (ROOT / "deploy" / "README.md").read_text()
    text = text[text.index("## The report's steps") : text.index("## Who may deploy")]
    found = {}
    for match in re.finditer(r"^( *)```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        step = re.findall(r"^(\d)\. ", text[: match.start()], re.MULTILINE)
        found[int(step[-1]) if step else 0] = textwrap.dedent(match[2])
    return found


def test_the_steps_by_hand(cloud):
    steps = blocks()
    assert sorted(steps) == [0, 1, 2, 3, 4, 5, 6]
    assert INVOKE.search(steps[3])
    create = steps[1].splitlines()[0]
    script = "\n".join(["set -eux", steps[0], create, INVOKE.sub("", steps[3]), steps[4], steps[5], 'echo "at $URL"'])
    done = subprocess.run(["bash", "-c", script], env=cloud, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    aws = Aws(cloud)
    assert [repository["repositoryName"] for repository in aws("ecr", "describe-repositories")["repositories"]] == [
        "iris-registry"
    ]
    api = api_is_wired(aws, by_hand=True)
    assert f"at https://{api}.execute-api.us-east-1.amazonaws.com/dev" in done.stdout


def test_the_policy_covers_the_steps():
    """Every call of the steps has its action in policy.json, under the name that IAM has for it."""
    policy = (ROOT / "deploy" / "policy.json").read_text()
    called = set(re.findall(r"\baws (ecr|lambda|logs|iam) ([a-z-]+)", "\n".join(blocks().values())))
    for service, command in called - {("ecr", "get-login-password"), ("lambda", "wait"), ("lambda", "invoke")}:
        action = "".join(word.capitalize() for word in command.split("-"))
        assert f'"{service}:{action}"' in policy, f"{service} {command}"
