module gort/gobench

go 1.27
