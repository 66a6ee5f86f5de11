#!/usr/bin/env bash
# Gradescope runs this once, as root, when it makes the image in which all are graded.
set -euo pipefail
cd "$(dirname "$0")"
autograder=$(dirname "$PWD")

apt-get update
apt-get install --yes --no-install-recommends bubblewrap python3-pip
# The image's Python may be too old: uv brings one. Old versions of pip do not know this
# variable, and need none.
PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip install --quiet "uv>=0.5"
# Where the other account, as which notebooks run, can read it.
export UV_PYTHON_INSTALL_DIR=$autograder/python
uv venv --python 3.12 --managed-python "$autograder/venv"
uv pip install --python "$autograder/venv/bin/python" \
	--requirement requirements.txt --constraint requirements.lock
packages=$("$autograder/venv/bin/python" -c \
	'import sysconfig; print(sysconfig.get_path("purelib"))')
cp -r library/convexnn_lib "$packages"
"$autograder/venv/bin/python" -c 'import convexnn_lib, assignments.grader.gradescope'
