"""`python -m chasqui` is the command line."""

from chasqui.cli import main

main()
