# Writes a data frame of an unpacked package as CSV, without loading the package or what it depends on:
#     Rscript --vanilla frame.R <folder of the package> <expression over its data> <CSV file>
arguments <- commandArgs(trailingOnly = TRUE)
folder <- file.path(arguments[1], "data")
expression <- parse(text = arguments[2])
data <- new.env()
# Packages have their data in one database, or each frame in a file of its name.
if (file.exists(file.path(folder, "Rdata.rdx"))) {
  lazyLoad(file.path(folder, "Rdata"), envir = data)
} else {
  for (name in all.vars(expression)) load(file.path(folder, paste0(name, ".rda")), envir = data)
}
frame <- eval(expression, data)
write.csv(as.data.frame(frame), arguments[3], row.names = FALSE, na = "")
