"""Teams, projects, memberships and API keys, and the one mechanism that binds a read or write to a project."""
