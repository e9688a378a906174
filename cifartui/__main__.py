"""`cifartui`: the screens without arguments, a command with them."""

import sys


def main() -> int:
    """Run the program; return its exit code."""
    if len(sys.argv) > 1:
        from cifartui.cli.main import run_command

        return run_command(sys.argv[1:])
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("cifartui: The screens need a terminal; try `cifartui demo` or `cifartui --help` here.", file=sys.stderr)
        return 2
    from cifartui.tui.app import run_app

    return run_app()


if __name__ == "__main__":
    sys.exit(main())
