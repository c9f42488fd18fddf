#!/usr/bin/env python3
"""Say in one line what networks are computed on, after computing a little on it."""

import argparse
import sys

from omicsfusion.models.accelerator import NONE, WISHES, NoGpuError, tried_gpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu", choices=WISHES, default=NONE)
    try:
        print(tried_gpu(parser.parse_args().gpu))
    except NoGpuError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
