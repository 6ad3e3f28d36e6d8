"""`python -m parlour`, which is also how the server starts its engine processes."""

from parlour.app.cli import main

main()
