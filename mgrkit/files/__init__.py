"""Files: whole or absent, locked, hashed; the folder of what can be made again."""
