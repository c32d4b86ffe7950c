module faultdeck

go 1.19
