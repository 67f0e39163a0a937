"""``python -m wakeword``: the command line where the script ``wakeword`` is not on the path."""

from wakeword.cli.main import main

if __name__ == "__main__":
    main()
