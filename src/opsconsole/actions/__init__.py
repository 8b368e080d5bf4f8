"""The one door: whatever changes the outside world goes through `actions.door`."""
