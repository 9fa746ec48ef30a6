"""The rules that ship with the sensor; see rulebook for what reads them."""
