#!/usr/bin/env bash
# Builds the image, pushes it to ECR and deploys it behind a REST API; --help says how.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: deploy/deploy.sh [OPTIONS]

Makes the ECR repository where it is missing, logs in, builds the image, pushes it, and deploys deploy/template.yaml
with it. May be run again at any time: what is there already is kept, and what has not changed is not deployed.
Credentials and region are the AWS CLI's own (its profile, its variables, a role); none is written anywhere.

  --dry-run               says what would be run, and runs nothing
  --destroy               removes the stack, and the repository with its images
  --stack NAME            the stack, also the function's name (iris-lambda)
  --repository NAME       the repository in ECR (iris-registry)
  --image NAME            an image that is built already, such as iris_image of `make image`, instead of building one
  --architecture NAME     x86_64 or arm64 (x86_64)
  --parameter KEY=VALUE   a parameter of the template, such as MemorySize=256; may be repeated
  --help                  this
TEXT
}

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
STACK=iris-lambda
REPOSITORY=iris-registry
IMAGE=
ARCHITECTURE=x86_64
PARAMETERS=()
DRY_RUN=
DESTROY=
# What there is in the account so far, told where the script ends early.
MADE=()
# Where Docker keeps the registry's token, for as long as the script runs.
LOGIN=

say() { printf '%s\n' "$*" >&2; }

# Ends the script: what went wrong, then what to do.
die() {
    say "deploy.sh: $1"
    shift
    for line in "$@"; do say "  $line"; done
    exit 1
}

on_exit() {
    local status=$?
    [ -z "$LOGIN" ] || rm -rf "$LOGIN"
    if [ "$status" -ne 0 ] && [ "${#MADE[@]}" -gt 0 ]; then
        say "In the account now, kept for the next run; \`deploy/deploy.sh --destroy\` with the same options removes it:"
        for thing in "${MADE[@]}"; do say "  $thing"; done
    fi
}
trap on_exit EXIT

# Runs a command; only says it under --dry-run.
run() {
    if [ -n "$DRY_RUN" ]; then
        printf '%q ' "$@"
        printf '\n'
    else
        "$@" >&2
    fi
}

value() { [ $# -ge 2 ] && [ -n "$2" ] || die "$1 needs a value" "See --help."; }

read_options() {
    while [ $# -gt 0 ]; do
        case "$1" in
            --dry-run) DRY_RUN=yes; shift ;;
            --destroy) DESTROY=yes; shift ;;
            --stack) value "$@"; STACK=$2; shift 2 ;;
            --repository) value "$@"; REPOSITORY=$2; shift 2 ;;
            --image) value "$@"; IMAGE=$2; shift 2 ;;
            --architecture) value "$@"; ARCHITECTURE=$2; shift 2 ;;
            --parameter) value "$@"; PARAMETERS+=("$2"); shift 2 ;;
            --help) usage; exit 0 ;;
            *) die "there is no option $1" "See --help." ;;
        esac
    done
    case "$ARCHITECTURE" in
        x86_64) PLATFORM=linux/amd64 ;;
        arm64) PLATFORM=linux/arm64 ;;
        *) die "--architecture is x86_64 or arm64, not $ARCHITECTURE" ;;
    esac
}

check_aws() {
    if [ -n "$DRY_RUN" ]; then
        ACCOUNT=ACCOUNT REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-REGION}}
        return
    fi
    command -v aws >/dev/null || die "the AWS CLI is not installed" \
        "Install it (\`pip install awscli\`, or AWS's own installer of version 2), and run this again."
    REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
    [ -n "$REGION" ] || die "no region is chosen" \
        "\`export AWS_REGION=us-east-1\`, or \`aws configure set region us-east-1\`."
    export AWS_DEFAULT_REGION=$REGION
    ACCOUNT=$(aws sts get-caller-identity --query Account --output text) || die "the AWS CLI has no valid credentials" \
        "\`aws configure\`, \`aws sso login\`, or export AWS_PROFILE; a lab's session token ends with the lab." \
        "\`aws sts get-caller-identity\` must answer. Nothing was made."
}

check_docker() {
    [ -z "$DRY_RUN" ] || return 0
    command -v docker >/dev/null || die "Docker is not installed" \
        "Install Docker Engine (Debian: \`apt-get install docker.io\`) or Docker Desktop. Nothing was made."
    docker info >/dev/null 2>&1 || die "Docker does not answer" \
        "Start it (\`systemctl start docker\`, or Docker Desktop), and see that you may use it. Nothing was made."
    [ -z "$IMAGE" ] || docker image inspect "$IMAGE" >/dev/null 2>&1 || die "there is no image $IMAGE" \
        "\`make image\` makes iris_image; without --image one is built. Nothing was made."
}

make_repository() {
    local asked=(aws ecr describe-repositories --repository-names "$REPOSITORY")
    if [ -n "$DRY_RUN" ]; then
        run aws ecr create-repository --repository-name "$REPOSITORY" --image-scanning-configuration scanOnPush=true
        REMOTE=$ACCOUNT.dkr.ecr.$REGION.amazonaws.com/$REPOSITORY
        return
    fi
    local found
    if ! found=$("${asked[@]}" --query 'repositories[0].repositoryUri' --output text 2>&1); then
        case "$found" in
            *RepositoryNotFoundException*)
                found=$(aws ecr create-repository --repository-name "$REPOSITORY" \
                    --image-scanning-configuration scanOnPush=true \
                    --query 'repository.repositoryUri' --output text) ||
                    die "the repository $REPOSITORY could not be made" \
                        "May you do ecr:CreateRepository? deploy/policy.json lists what this takes. Nothing was made." ;;
            *) die "ECR does not say whether there is a repository $REPOSITORY" "$found" "Nothing was made." ;;
        esac
    fi
    # The tests push to a registry of their own.
    REMOTE=${IRIS_REGISTRY:+$IRIS_REGISTRY/$REPOSITORY}
    REMOTE=${REMOTE:-$found}
    MADE+=("the ECR repository $found")
}

# Docker with a configuration of this run's own: what it keeps of a login ends with the script.
docker_logged_in() {
    DOCKER_CONFIG=$LOGIN DOCKER_HOST=${ENGINE:-} run docker "$@"
}

push_image() {
    local registry=${REMOTE%%/*} tag
    tag=$(git -C "$ROOT" describe --always --dirty 2>/dev/null || echo latest)
    if [ -n "$DRY_RUN" ]; then
        printf 'aws ecr get-login-password | docker login --username AWS --password-stdin %s\n' "$registry"
    else
        ENGINE=$(docker context inspect --format '{{.Endpoints.docker.Host}}')
        LOGIN=$(mktemp -d)
        aws ecr get-login-password | docker_logged_in login --username AWS --password-stdin "$registry" ||
            die "Docker could not log in to $registry" "May you do ecr:GetAuthorizationToken? Is the registry reached?"
    fi
    if [ -z "$IMAGE" ]; then
        # Lambda takes an image, no list of images with attestations.
        BUILDX_NO_DEFAULT_ATTESTATIONS=1 run docker build --platform "$PLATFORM" --tag "$REMOTE:$tag" \
            --build-arg "VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml" | head -n 1)" \
            --build-arg "REVISION=$(git -C "$ROOT" rev-parse HEAD 2>/dev/null || true)" "$ROOT" ||
            die "the image could not be built" "What docker build says is above; nothing was pushed."
    else
        run docker tag "$IMAGE" "$REMOTE:$tag"
    fi
    docker_logged_in push --quiet "$REMOTE:$tag" || die "the image could not be pushed to $REMOTE:$tag" \
        "See what docker push says above, and run this again: layers that have arrived are kept." \
        "The stack was not touched: what was deployed before is still served."
    if [ -n "$DRY_RUN" ]; then
        IMAGE_URI="$REMOTE@sha256:DIGEST"
        return
    fi
    IMAGE_URI=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$REMOTE:$tag" |
        grep -F "$REMOTE@" | head -n 1) || die "Docker does not know the digest of $REMOTE:$tag" "Push it again."
    MADE+=("the image $IMAGE_URI")
}

remove_stack() {
    run aws cloudformation delete-stack --stack-name "$STACK" &&
        run aws cloudformation wait stack-delete-complete --stack-name "$STACK"
}

stack_status() {
    aws cloudformation describe-stacks --stack-name "$STACK" --query 'Stacks[0].StackStatus' --output text 2>/dev/null ||
        echo none
}

deploy_stack() {
    local command=(aws cloudformation deploy --stack-name "$STACK" --template-file "$HERE/template.yaml"
        --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset --parameter-overrides
        "ImageUri=$IMAGE_URI" "FunctionName=$STACK" "Architecture=$ARCHITECTURE"
        ${PARAMETERS[@]+"${PARAMETERS[@]}"})
    if [ -n "$DRY_RUN" ]; then
        run "${command[@]}"
        return
    fi
    # A stack whose first deployment failed holds nothing, and cannot be deployed to.
    if [ "$(stack_status)" = ROLLBACK_COMPLETE ]; then
        say "The stack $STACK is what a failed first deployment left: removing it."
        remove_stack
    fi
    if ! run "${command[@]}"; then
        MADE+=("the stack $STACK, now $(stack_status)")
        say "What CloudFormation says went wrong:"
        aws cloudformation describe-stack-events --stack-name "$STACK" --output text --query \
            "StackEvents[?ends_with(ResourceStatus, '_FAILED')].[LogicalResourceId, ResourceStatusReason]" >&2 || true
        die "the stack $STACK could not be deployed" \
            "Mend what is above (a role that may not be made: --parameter RoleArn=…), and run this again:" \
            "where its state ends in ROLLBACK_COMPLETE, CloudFormation has put back what was there before."
    fi
}

output() {
    aws cloudformation describe-stacks --stack-name "$STACK" --output text \
        --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}

tell() {
    [ -z "$DRY_RUN" ] || return 0
    local url function_url
    url=$(output InvokeUrl)
    function_url=$(output FunctionUrl)
    local body='{"values": [[5.9, 3.0, 5.1, 2.3]]}'
    cat <<TEXT
$STACK answers at $url${function_url:+
and, as a function URL, at $function_url}

curl -H 'Content-Type: application/json' -d '$body' $url
Invoke-WebRequest -Method Post -Uri "$url" -Headers @{ "Content-Type" = "application/json" } -Body '$body'
TEXT
}

destroy() {
    if [ -n "$DRY_RUN" ]; then
        remove_stack
        run aws ecr delete-repository --repository-name "$REPOSITORY" --force
        return
    fi
    if [ "$(stack_status)" != none ]; then
        if ! remove_stack; then
            die "the stack $STACK could not be removed: it is now $(stack_status)" \
                "\`aws cloudformation describe-stack-events --stack-name $STACK\` says what holds it." \
                "The repository $REPOSITORY and its images are still there."
        fi
        say "Removed the stack $STACK."
    fi
    local said
    if said=$(aws ecr delete-repository --repository-name "$REPOSITORY" --force 2>&1); then
        say "Removed the repository $REPOSITORY with its images."
    else
        case "$said" in
            *RepositoryNotFoundException*) say "There is no repository $REPOSITORY." ;;
            *) die "the repository $REPOSITORY could not be removed" "$said" "It is all that is left." ;;
        esac
    fi
}

main() {
    read_options "$@"
    check_aws
    if [ -n "$DESTROY" ]; then
        destroy
        return
    fi
    check_docker
    make_repository
    push_image
    deploy_stack
    tell
}

main "$@"
