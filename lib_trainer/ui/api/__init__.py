"""What the page and scripts may ask for, by subject; each handler takes the server and a request and gives a reply."""
