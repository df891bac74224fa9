"""The page, in three hosts: the routes it talks to, the projects and runs behind them, and the shells around it."""
