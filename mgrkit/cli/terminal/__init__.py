"""What every command shows alike: the console, bars, tables, errors."""
