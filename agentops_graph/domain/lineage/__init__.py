"""Lineage: which thing is made from which, told by several origins and drawn as one map."""
