"""Measurements that a person runs by hand (`ltviz bench NAME`); nothing here is imported by the library."""
