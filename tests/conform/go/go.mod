module gort/conform

go 1.27
