"""What people and their machines do when nobody attacks; each module exports KINDS."""
