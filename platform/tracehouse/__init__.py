"""The project package: settings, the doors to the stores, tenancy and what every page shares."""
