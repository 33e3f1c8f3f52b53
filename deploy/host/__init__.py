"""What the commands for operators share. Standard library only, Python 3.9 and newer."""
