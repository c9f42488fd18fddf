"""Reading tables, checking ids and outcomes, and the file formats that pass between processes."""
