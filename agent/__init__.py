"""The process on a node: asks the Agent Controller for jobs and runs JumpScripts in worker processes."""
