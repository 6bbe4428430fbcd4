"""What happens between a question and its answer, without a socket, a clock or a die: see `call`."""
