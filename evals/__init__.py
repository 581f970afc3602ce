"""What people and programs say of answers: scores of traces, spans and sessions."""
