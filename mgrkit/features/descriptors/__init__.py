"""What can be measured in sound, a file each."""
