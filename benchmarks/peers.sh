#!/bin/sh
# Makes the environment that benchmarks/detection.py times other drift libraries in.
# Usage: sh benchmarks/peers.sh [FOLDER]; they are never dependencies of this project.
set -eu
folder=${1:-build/peers}
python3 -m venv "$folder"
# Evidently 0.7 cannot be imported with pandas 3.
"$folder/bin/python" -m pip --disable-pip-version-check install -q \
  'evidently==0.7.23' 'nannyml==0.13.1' 'pandas<3'
"$folder/bin/python" -c 'import evidently, nannyml; print(evidently.__version__, nannyml.__version__)'
