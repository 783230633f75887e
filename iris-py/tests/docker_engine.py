"""A Docker Engine for the tests: the one that runs, or Debian's, installed where that is possible and started here."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

PATIENCE = 60


def environment(host=None):
    """For the docker command: the classic builder, which needs no image from a registry."""
    return os.environ | {"DOCKER_BUILDKIT": "0"} | ({"DOCKER_HOST": host} if host else {})


def answers(variables):
    if shutil.which("docker") is None:
        return False
    info = subprocess.run(["docker", "info"], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return info.returncode == 0


def find_program(name, *packages):
    """The path of a program of Debian's. Where none can be had, the tests are skipped, but never in CI."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if shutil.which(name) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        variables = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update"], env=variables, **quiet)
        install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
        subprocess.run(install, env=variables, **quiet)
    program = shutil.which(name)
    if program is None or os.geteuid() != 0:
        reason = f"{name} is not here, or may not be started: install Debian's {packages[0]}"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return program


def engine(folder):
    """Yields what the docker command needs in its environment."""
    variables = environment()
    if answers(variables):
        yield variables
        return
    host = f"unix://{folder}/docker.sock"
    variables = environment(host)
    roots = ["--data-root", folder / "data", "--exec-root", folder / "exec", "--pidfile", folder / "pid"]
    with (folder / "log").open("w+") as log:
        command = [find_program("dockerd", "docker.io", "iptables"), "--host", host, *roots]
        with subprocess.Popen(command, stdout=log, stderr=log) as daemon:
            try:
                deadline = time.monotonic() + PATIENCE
                while not answers(variables):
                    if daemon.poll() is not None or time.monotonic() > deadline:
                        log.seek(0)
                        pytest.fail(f"dockerd does not answer:\n{log.read()}", pytrace=False)
                    time.sleep(0.1)
                yield variables
            finally:
                daemon.terminate()
                daemon.wait(PATIENCE)
                unmount(folder)


def unmount(folder):
    """Unmounts what the daemon leaves mounted, so that its folder can be removed."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in reversed(mounts):
        if mount.startswith(f"{folder}/"):
            subprocess.run(["umount", mount], check=False)
