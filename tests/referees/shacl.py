#!/usr/bin/env python3
"""Checks v2 documents against the SHACL shapes with pyshacl (`pip install pyshacl`).

usage: shacl.py SHAPES FILE...

Prints each document that does not conform, with pyshacl's report, and then exits with 1.
"""

import sys

import pyshacl
import rdflib


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    shapes = rdflib.Graph().parse(arguments[0], format="turtle")
    refused = 0
    for path in arguments[1:]:
        document = rdflib.Graph().parse(path, format="turtle")
        conforms, _, report = pyshacl.validate(document, shacl_graph=shapes)
        if not conforms:
            refused += 1
            print(f"{path}: does not conform\n{report}")
    print(f"{len(arguments) - 1 - refused} of {len(arguments) - 1} documents conform")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
