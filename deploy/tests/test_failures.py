"""What deploy.sh says where something is missing or fails, and what it leaves."""

import os
import shutil
import stat

import pytest
from conftest import Aws, deploy

TOOLS = ["bash", "cat", "dirname", "env", "git", "grep", "head", "mktemp", "rm", "sed"]


@pytest.fixture
def bare(variables, tmp_path):
    """An environment with neither AWS CLI nor Docker, and a folder for programs in their place."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool))
    return variables | {"PATH": str(folder), "AWS_REGION": "us-east-1"}, folder


def program(folder, name, text):
    """Puts a shell script in a program's place."""
    path = folder / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def fails(done, *said):
    assert done.returncode == 1, done.stderr
    for words in said:
        assert words in done.stderr, done.stderr


def test_no_aws_cli(bare):
    fails(deploy(bare[0]), "the AWS CLI is not installed", "pip install awscli")


def test_no_region(variables):
    fails(deploy(variables), "no region is chosen", "AWS_REGION")


def test_no_credentials(variables):
    done = deploy(variables | {"AWS_REGION": "us-east-1"})
    fails(done, "the AWS CLI has no valid credentials", "aws configure", "Nothing was made.")


def test_no_docker(bare):
    variables, folder = bare
    program(folder, "aws", "echo 123456789012")
    fails(deploy(variables), "Docker is not installed", "Nothing was made.")


def test_docker_is_not_running(cloud):
    done = deploy(cloud | {"DOCKER_HOST": "unix:///nonexistent/docker.sock"})
    fails(done, "Docker does not answer", "Nothing was made.")
    assert Aws(cloud)("ecr", "describe-repositories")["repositories"] == []


def test_no_such_image(cloud, docker):
    fails(deploy(cloud | docker, "--image", "no-such-image"), "there is no image no-such-image", "make image")


def test_no_repository_may_be_made(bare):
    variables, folder = bare
    program(folder, "docker", "exit 0")
    refusal = "An error occurred (RepositoryNotFoundException)"
    program(
        folder,
        "aws",
        f'case "$1 $2" in "sts "*) echo 1 ;; "ecr describe"*) echo "{refusal}" >&2; exit 254 ;; *) exit 254 ;; esac',
    )
    fails(deploy(variables), "the repository iris-registry could not be made", "policy.json", "Nothing was made.")


def test_ecr_does_not_answer(bare):
    variables, folder = bare
    program(folder, "docker", "exit 0")
    program(folder, "aws", 'case "$1" in sts) echo 1 ;; *) echo AccessDenied >&2; exit 254 ;; esac')
    fails(deploy(variables), "ECR does not say whether there is a repository", "AccessDenied", "Nothing was made.")


def test_the_build_fails(bare):
    variables, folder = bare
    program(folder, "aws", 'case "$1 $2" in "ecr describe"*) echo 1.dkr.ecr/iris-registry ;; *) echo 1 ;; esac')
    program(folder, "docker", 'case "$1" in build) echo no space left >&2; exit 1 ;; *) exit 0 ;; esac')
    done = deploy(variables)
    fails(done, "no space left", "the image could not be built", "nothing was pushed", "1.dkr.ecr/iris-registry")


def test_what_cannot_be_removed_is_named(bare):
    variables, folder = bare
    calls = 'case "$1 $2" in "cloudformation wait") exit 255 ;; "cloudformation describe"*) echo DELETE_FAILED ;; esac'
    program(folder, "aws", calls)
    done = deploy(variables, "--destroy")
    fails(done, "the stack iris-lambda could not be removed: it is now DELETE_FAILED", "are still there")
    calls = 'case "$1 $2" in "cloudformation describe"*) exit 255 ;; "ecr "*) echo AccessDenied >&2; exit 254 ;; esac'
    program(folder, "aws", calls)
    done = deploy(variables, "--destroy")
    fails(done, "the repository iris-registry could not be removed", "AccessDenied", "It is all that is left.")


def test_the_registry_refuses_the_login(cloud, docker, image):
    done = deploy(cloud | docker | {"IRIS_REGISTRY": "127.0.0.1:1"}, "--image", image)
    fails(done, "could not log in to 127.0.0.1:1", "In the account now", "the ECR repository")


@pytest.mark.parametrize("registry", [True], indirect=True)
def test_the_push_fails(cloud, docker, registry, image):
    done = deploy(cloud | docker | {"IRIS_REGISTRY": registry}, "--image", image)
    fails(done, f"could not be pushed to {registry}/iris-registry", "The stack was not touched", "the ECR repository")
    aws = Aws(cloud)
    assert len(aws("ecr", "describe-repositories")["repositories"]) == 1
    assert aws("cloudformation", "list-stacks")["StackSummaries"] == []


def test_the_stack_fails(cloud, docker, registry, image, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    program(
        folder,
        "aws",
        f"""echo "$*" >> {tmp_path}/calls
case "$1 $2" in
"cloudformation deploy") echo "Failed to create/update the stack" >&2; exit 255 ;;
"cloudformation describe-stacks") echo ROLLBACK_COMPLETE ;;
"cloudformation describe-stack-events") echo "Role API: iam:CreateRole User is not authorized" ;;
"cloudformation "*) ;;
*) exec {shutil.which("aws", path=cloud["PATH"])} "$@" ;;
esac""",
    )
    variables = cloud | docker | {"IRIS_REGISTRY": registry, "PATH": f"{folder}{os.pathsep}{cloud['PATH']}"}
    done = deploy(variables, "--image", image)
    fails(
        done,
        "removing it",
        "iam:CreateRole User is not authorized",
        "the stack iris-lambda could not be deployed",
        "In the account now",
        "the ECR repository",
        f"the image {registry}/iris-registry@sha256:",
        "the stack iris-lambda, now ROLLBACK_COMPLETE",
    )
    calls = (tmp_path / "calls").read_text()
    # What a first deployment left is removed before the next.
    assert calls.index("delete-stack") < calls.index("cloudformation deploy")


@pytest.mark.parametrize("options", [["--nonsense"], ["--stack"], ["--architecture", "sparc"]])
def test_wrong_options(variables, options):
    fails(deploy(variables, *options), "deploy.sh: ")


@pytest.mark.parametrize("options", [[], ["--destroy"]])
def test_a_dry_run_needs_nothing(bare, options):
    variables, _ = bare
    done = deploy(variables, "--dry-run", *options)
    assert done.returncode == 0, done.stderr
    assert "aws cloudformation" in done.stdout
