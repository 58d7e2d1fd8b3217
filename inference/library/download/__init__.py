"""Downloads that finish: plan first, resume always, hash everything, name a file last."""
