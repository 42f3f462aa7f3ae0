// PreservedPages
