"""deploy.sh from an empty account to an empty account, by the real AWS CLI and a real Docker Engine."""

import json
import os
import subprocess
import time
import urllib.request

import pytest
from conftest import Aws, deploy

STACK = "iris-lambda"


@pytest.fixture
def everything(cloud, docker, registry):
    return cloud | docker | {"IRIS_REGISTRY": registry}


def test_deploys_and_removes(everything, image, docker):
    aws = Aws(everything)
    options = ["--image", image, "--parameter", "MemorySize=256", "--parameter", "FunctionUrlAuth=NONE"]
    options += ["--parameter", "LogRetentionDays=30"]
    done = deploy(everything, *options)
    assert done.returncode == 0, done.stderr
    digest = image_is_pushed(everything, docker)

    [repository] = aws("ecr", "describe-repositories")["repositories"]
    assert repository["repositoryName"] == "iris-registry"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    function = aws("lambda", "get-function", "--function-name", STACK)
    assert function["Code"]["ImageUri"] == f"{everything['IRIS_REGISTRY']}/iris-registry@{digest}"
    configuration = function["Configuration"]
    assert configuration["MemorySize"] == 256
    assert configuration["Timeout"] == 10
    api = api_is_wired(aws)
    groups = aws("logs", "describe-log-groups")["logGroups"]
    assert [(group["logGroupName"], group["retentionInDays"]) for group in groups] == [(f"/aws/lambda/{STACK}", 30)]
    function_url = aws("lambda", "get-function-url-config", "--function-name", STACK)["FunctionUrl"]

    url = f"https://{api}.execute-api.us-east-1.amazonaws.com/dev/predict"
    assert f"{STACK} answers at {url}" in done.stdout
    assert f"at {function_url}" in done.stdout
    body = '{"values": [[5.9, 3.0, 5.1, 2.3]]}'
    assert f"curl -H 'Content-Type: application/json' -d '{body}' {url}" in done.stdout
    assert f'Invoke-WebRequest -Method Post -Uri "{url}"' in done.stdout
    no_credential_is_left(everything, done)

    again = deploy(everything, *options)
    assert again.returncode == 0, again.stderr
    assert "No changes to deploy" in again.stderr
    assert again.stdout == done.stdout

    removed = deploy(everything, "--destroy")
    assert removed.returncode == 0, removed.stderr
    assert aws("ecr", "describe-repositories")["repositories"] == []
    assert aws("lambda", "list-functions")["Functions"] == []
    [stack] = aws("cloudformation", "list-stacks")["StackSummaries"]
    assert stack["StackStatus"] == "DELETE_COMPLETE"
    twice = deploy(everything, "--destroy")
    assert twice.returncode == 0, twice.stderr
    assert "There is no repository iris-registry" in twice.stderr


def image_is_pushed(everything, docker):
    """The image comes back from the registry and answers; returns its digest."""
    address = everything["IRIS_REGISTRY"]
    with urllib.request.urlopen(f"http://{address}/v2/iris-registry/tags/list", timeout=20) as response:
        [tag] = json.load(response)["tags"]
    name = f"{address}/iris-registry:{tag}"
    environment = os.environ | docker

    def run(*words):
        done = subprocess.run(["docker", *words], env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    digests = run("image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', name).split()
    [digest] = [line.rpartition("@")[2] for line in digests if line.startswith(f"{address}/")]
    run("rmi", "--force", name, f"{address}/iris-registry@{digest}")
    pulled = f"{address}/iris-registry@{digest}"
    run("pull", pulled)
    container = run("run", "--detach", "--publish", "127.0.0.1::8080", pulled)
    try:
        url = "http://" + run("port", container, "8080/tcp").splitlines()[0] + "/predict"
        deadline = time.monotonic() + 20
        while True:
            try:
                body = b'{"values": [[5.9, 3.0, 5.1, 2.3]]}'
                with urllib.request.urlopen(url, body, timeout=5) as response:
                    assert json.load(response) == {"prediction": [2]}
                return digest
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
    finally:
        run("rm", "--force", container)


def api_is_wired(aws, by_hand=False):
    """API, resource, method, integration, stage and permission; returns the API's id. By hand there is no alias."""
    [api] = aws("apigateway", "get-rest-apis")["items"]
    resources = aws("apigateway", "get-resources", "--rest-api-id", api["id"])["items"]
    [resource] = [resource for resource in resources if resource["path"] == "/predict"]
    at = ["--rest-api-id", api["id"], "--resource-id", resource["id"], "--http-method", "POST"]
    method = aws("apigateway", "get-method", *at)
    assert method["authorizationType"] == "NONE"
    integration = aws("apigateway", "get-integration", *at)
    assert integration["type"] == "AWS_PROXY"
    assert integration["httpMethod"] == "POST"
    if by_hand:
        function = aws("lambda", "get-function", "--function-name", STACK)["Configuration"]["FunctionArn"]
    else:
        alias = aws("lambda", "get-alias", "--function-name", STACK, "--name", "live")
        assert alias["FunctionVersion"] == "1"
        function = alias["AliasArn"]
    assert integration["uri"].endswith(f":lambda:path/2015-03-31/functions/{function}/invocations")
    [stage] = aws("apigateway", "get-stages", "--rest-api-id", api["id"])["item"]
    [deployment] = aws("apigateway", "get-deployments", "--rest-api-id", api["id"])["items"]
    assert (stage["stageName"], stage["deploymentId"]) == ("dev", deployment["id"])
    policy = json.loads(aws("lambda", "get-policy", "--function-name", STACK)["Policy"])
    assert any(
        statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
        and json.dumps(statement).count(f":{api['id']}/*/POST/predict")
        for statement in policy["Statement"]
    )
    return api["id"]


def no_credential_is_left(everything, done):
    home = everything["HOME"]
    left = [os.path.join(folder, file) for folder, _, files in os.walk(home) for file in files]
    assert not [path for path in left if "docker" in path or "credentials" in path], left
    assert "testing" not in done.stdout + done.stderr
