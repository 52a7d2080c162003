"""Built-in interventions: changes made to an open model before it is asked anything."""
