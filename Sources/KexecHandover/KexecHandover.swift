// KexecHandover
