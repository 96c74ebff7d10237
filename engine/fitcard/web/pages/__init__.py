"""The HTML pages: each route beside the function that renders it, with its template in templates/."""
