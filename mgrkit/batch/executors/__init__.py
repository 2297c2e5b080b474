"""Where jobs run: on threads, or in processes of their own."""
